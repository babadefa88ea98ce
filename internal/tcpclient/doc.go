// Package tcpclient is the program tcpclient, which makes a TCP connection
// and runs a program with it, and the connection alone for programs that need
// no other program.
package tcpclient
