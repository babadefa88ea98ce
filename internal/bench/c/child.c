/* The program under tcpserver: writes one line and ends, so that what is
 * timed is the server. */
#include <unistd.h>

int main(void)
{
	return write(1, "hello\n", 6) != 6;
}
