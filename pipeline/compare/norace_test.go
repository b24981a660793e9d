//go:build !race

package compare

const slow = false
