// Package serving starts a server and speaks to it.
//
// # Starting
//
// A Target gives a Server, which is little more than a URL and the protocol
// that is spoken there. Container is an image in Docker, without a route to
// anywhere, read-only, without capabilities, with bounds on memory and
// processes. Process is a child process, for machines without Docker; Auto
// takes the first of the two that can be. Address is a server that runs
// already. Open serves a model with this project's server in this process: the
// way by which models are sealed and evaluated.
//
// # Speaking
//
// Dial and Connect give a Client of a protocol; nothing outside of this room
// knows a path or a byte of one. An adapter is a file and a row in the table
// of client.go. Today there is V2, the Open Inference Protocol over REST:
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
//
// Nothing uses a proxy or follows a redirect, so that what answers is what was
// asked; how long a call may take is its context's matter. What a server says
// is data: it is read up to a limit.
//
// Errors name the URL and the status. Their kind (see package fault) says who
// can mend it: no connection and 502, 503, 504 and 429 are the environment's
// and may be tried again; 500 is the model's failure; any other status means
// that the request does not fit the model. A server tells callers no more of
// its failures than that there was one; who runs the server here reads its log
// too, and Connect's client puts the log's reason into the error. Where
// requests fail at the same time, that may be another one's.
package serving
