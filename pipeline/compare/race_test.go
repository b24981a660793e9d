//go:build race

package compare

// slow says that the race detector makes every step some ten times slower, so
// that simulations are shortened to what shows races.
const slow = true
