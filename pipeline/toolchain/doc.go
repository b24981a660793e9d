// Package toolchain says what a training command runs with: the interpreters and
// compilers that it names, their versions, and the distributions that a Python
// would import.
//
// # Rule
//
// A command's words that name a program are looked up on its PATH. Where none is
// known (make, a shell script), the kinds of the project's files say which
// languages there are. An upgrade of any of them is another environment.
//
// A Python is asked once for its version and its import path (python -c, with
// nothing imported but sys, so that no file of the project runs); the
// distributions are then read from the names of the folders there, as pip freeze
// does (https://packaging.python.org/en/latest/specifications/recording-installed-packages/:
// "{name}-{version}.dist-info"), and those of conda from conda-meta.
//
// # Limits
//
// What a shell script activates by itself is not seen, nor are packages of R,
// Julia and Node: they count by their lock files. A version is what its metadata
// says; a distribution that was edited in place is the same.
package toolchain
