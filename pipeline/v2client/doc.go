// Package v2client is a caller of a server that speaks the Open Inference
// Protocol (V2) over JSON: this project's or any other.
//
// It knows a URL and nothing of what is behind it: a server in this process, a
// process, a container, a cluster. The bytes are those of package v2. It uses
// no proxy and follows no redirect, so that what answers is what was asked;
// how long a call may take is its context's matter.
//
// Errors name the URL and the status. Their kind (see package fault) says who
// can mend it: no connection and 502, 503, 504 and 429 are the environment's
// and may be tried again; 500 is the model's failure; any other status means
// that the request does not fit the model.
package v2client
