// Package artifact reads what jobs of another workflow run left, which anybody
// may have written: a fork's run leaves what it likes.
//
// # Design
//
// Select says which of a run's artifacts are taken, before a byte is
// downloaded; Unpack opens a downloaded archive; Fetch joins the two and is
// handed where artifacts are kept. None knows GitHub. An archive is looked at as
// a whole before its first file is written, into a folder that is made for it
// and removed again when something is wrong. What files mean, and whether their
// digests fit, is not asked here.
//
// # Rules of the outside world
//
//   - The directory of a zip file names files, and nothing keeps it from naming
//     "../x", an absolute path, a link, or one name twice; its count of entries is
//     16 bits that may be wrong. APPNOTE.TXT, 4.3.12, 4.4.17 and 4.4.22:
//     https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
//   - Entries may share bytes, so that a few megabytes become petabytes: only
//     what comes out can be bounded. https://www.bamsoftware.com/hacks/zipbomb/
//   - A run that is repeated keeps the artifacts of its earlier attempts; the one
//     with the highest id is the newest. actions/toolkit,
//     packages/artifact/src/internal/find/list-artifacts.ts, filterLatest.
package artifact
