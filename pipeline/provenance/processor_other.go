//go:build !linux && !darwin

package provenance

func processor() string { return "" }
