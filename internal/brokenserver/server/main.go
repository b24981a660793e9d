// Command server is the broken server as an executable, for containers.
package main

import (
	"os"

	"github.com/dosirak-ml/dosirak/internal/brokenserver"
)

func main() { os.Exit(brokenserver.Main(os.Args[1:], os.Stdout, os.Stderr)) }
