// Package rules implements tcprules rules: their text, their database, and the
// order in which a client is searched. Text, database and order are those of
// ucspi-tcp 0.88.
//
// # The way of a rule
//
//	text --Parse--> Set --Compile--> database (cdb) --Open--> DB
//	DB.Lookup(Client) --> Decision --Apply(Environ)--> Environ of the program
//
// A line of the text is an address, a colon, allow or deny, and the variables
// to set:
//
//	192.0.2.:allow,RELAYCLIENT="",DKIMKEY="control/domainkeys/%/default"
//	=.partner.example:allow,RELAYCLIENT=""
//	:allow,DKIMVERIFY="FGHp"
//
// [Parse] makes of it a [Set] of rules. The database of a set is a file, which
// [Set.Compile] writes and [Open] opens, or in memory, by [Set.DB]; what is
// looked up in one is found in the other. A server uses [Live], which takes a
// new file at its path for the next client.
//
// [DB.Lookup] tries the keys of a [Client], from the most specific to the empty
// one, and the first that has a record decides alone: rules do not add up. The
// [Decision] says which key that was, whether the client is denied, and what is
// to be set. [Decision.Apply] sets it in an [Environ], which keeps apart what is
// set but empty, such as RELAYCLIENT="", and what is not set.
//
// An error of a lookup means that nothing is known: the client must not pass.
//
// # Testing a rules file
//
// Parse, Set.DB and Lookup need no file and no network: the example of the
// package is all that a test of the own tcp.smtp needs. Package tcpserver adds
// the facts of a connection to the environment, and package qmaildkim signs
// mail by it.
//
// # Reading closer
//
// Programs that explain rules rather than apply them find more: [Lines] tells
// every line, bad ones and comments too, [Set.Sources] the rules behind a key,
// [DB.Records] what is in a database, [KindOf] which clients a key is for, and
// [Owners] which of many rules has a key.
package rules
