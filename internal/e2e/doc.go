// Package e2e holds Cairn's black-box tests: it knows a server by its address and its credentials only, so the same
// conversations run over every road, and over any other LRS.
//
// A conversation is a script in testdata, to be read beside the specification. A script is made of lines; a line that
// begins with "#" is a comment, and lines indented by two spaces belong to the line above them (without the indent).
//
//	# An equal statement under a stored id is no conflict. xAPI 1.0.3 Communication 2.1.1
//	make id = uuid
//	let verb = "verb":{"id":"http://adlnet.gov/expapi/verbs/completed"}
//
//	PUT /statements
//	? statementId = {{id}}
//	  {"actor":{"mbox":"mailto:a@example.org"},{{verb}},"object":{"id":"http://example.org/a"}}
//	expect 204
//
//	GET /statements
//	? statementId = {{id}}
//	expect 200
//	json $.id = "{{id}}"
//	save stored = json $.stored
//
// # Requirements
//
//	# requires: C2.1.1-1 L4.1.6.1-1   the lines that follow prove these, of the version that is asked for here (or that the
//	                                  script runs for); package requirements makes a map of them
//
// # Before the conversation
//
//	for each version in 1.0.3 2.0.0    the whole script runs once per value, {{version}} holds it
//	in any order: a b c                the sections of these names, which follow each other, run in every order;
//	                                   {{order}} holds the order
//	in a store of its own              it counts what is in the store: where no store can be made, it is not played
//	section a                          begins a section; the ones not named above keep their place
//
// # Values
//
//	let name = text          or the indented lines below; {{name}} in later lines stands for it
//	make name = uuid         a fresh UUID, which no other store may ever be shown
//	make name = now +1h      the time, in UTC with milliseconds
//	make name = sha256 text  (sha384, sha512, sha1) hexadecimal digest
//	make name = length text  in bytes
//	make name = base64 text
//	make name = sign RS256 text   (RS384, RS512) a JWS in compact form, by a key made for the run
//	make name = list 100 text     so many copies, joined by commas; {{n}} counts from 0, {{new uuid}} is fresh in each
//	make name = repeat 100 text   so many copies
//
// {{authorization}} is the Authorization header of the credential in use, {{endpoint}} the xAPI endpoint, {{canary}} a
// word that belongs to this run of the script.
//
// # Who asks, and in which version
//
//	as A                       a credential with every scope of store A, the store of the script. It is so at the start
//	as B                       the same of another store
//	as A with statements/read  a credential with these scopes; the word trusted makes it a trusted one
//	as A with a wrong secret, as an unknown key, as nobody
//	store -k 10 -hide-names    settings of store A, by flags of `cairn store set`; before the first request, since servers
//	                           remember them
//	version 2.0.0              of the requests that follow; 1.0.3 at the start
//
// # Requests
//
//	METHOD /path          below the xAPI endpoint; @/path from the server's root; reports/path below the report API, which is
//	                      another origin
//	METHOD {{url}}        a whole URL, which gets neither credentials nor a version
//	? name = value        query parameter, escaped
//	& name = value        field of a form, escaped
//	Name: value           header
//	headers {{object}}    the members of a JSON object as headers
//	without Name          leaves out a header that the runner would send
//	  body                with CRLF line ends when the Content-Type is multipart
//	eventually            is sent again until all checks hold, for what is promised only to come: a statement that was
//	                      consistent already may still take over terms from a chain of statements that it refers to
//	follow more           a list is read to its end; $.statements holds all, and $.pages how many pages there were
//	follow redirect       of a 303 the answer is what its Location gives, without credentials; any other stands for itself
//
// # What must come back
//
//	expect 200                        begins the checks of the answer; also: expect 200 or 204
//	header Name = value               or ~ regular expression, present, absent
//	json $.statements[*].id = [...]   numbers and strings must be equal, members in any order; paths are $ .name ['name']
//	                                  [0] [-1] [*]; also: != value, ~ regular expression, is set [...] (any order),
//	                                  contains text, count 3, present, absent
//	raw $.result = text               the bytes as they came
//	body = text                       or ~ regular expression, contains text, lacks text, empty
//	parts 2                           of a multipart answer
//	part 1                            checks that follow look at this part's header and body
//	save name = json $.id             or header Name, raw $.path, body
//	check {{a}} < {{b}}               or <=, =, !=; times as times, numbers as numbers
//
// # Time and isolation
//
//	wait until consistent    until X-Experience-API-Consistent-Through has reached this moment
//	sleep 5ms
//
// Whatever is read as A is asked as B too, behind the script's back: an answer to B that holds a UUID made by the script,
// or its canary, fails the script, unless B had sent it.
package e2e
