// Package tcpserver accepts TCP connections, decides about each by its
// addresses, its names and a rules database, and hands it to a program.
//
// What is decided is apart from what is done: [Server.Admit] is given the two
// ends of a connection, a [Conn], and returns an [Admission] with the rules'
// decision and the environment that the program would get. It touches neither
// socket nor process, and of the network only what the fields Names and Info
// ask: without them, in a test, names and remote info are unknown, as for a
// client that has none.
//
//	Conn --Names, Info--> rules.Client --Rules--> rules.Decision
//	Environ + PROTO, TCPREMOTEIP ... + Decision --> Admission.Environ
//
// [ParseOptions] reads a command line as the program does. Run is the program,
// for cmd of this module: it listens, and for each connection does what Admit
// has decided.
package tcpserver
