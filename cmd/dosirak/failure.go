package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// counted tells whether anything was written through it.
type counted struct {
	io.Writer
	any bool
}

func (c *counted) Write(b []byte) (int, error) {
	c.any = c.any || len(b) > 0
	return c.Writer.Write(b)
}

// failed is what --json prints of a command that failed.
type failed struct {
	Error fault.Description `json:"error"`
}

// fail tells what went wrong and returns the exit code: in words on stderr, and
// as the one object on stdout where JSON is asked for and none was printed yet.
func fail(ctx context.Context, err error, asJSON bool, stdout *counted, stderr io.Writer) int {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "dosirak: interrupted; what was finished is kept")
		if asJSON && !stdout.any {
			_ = printJSON(stdout, failed{fault.Description{Message: "interrupted; what was finished is kept", Next: "Run the command again."}})
		}
		return fault.CodeInterrupted
	}
	fmt.Fprintf(stderr, "dosirak: %s\n", fault.Message(err))
	if asJSON && !stdout.any {
		if printed := printJSON(stdout, failed{fault.Describe(err)}); printed != nil {
			fmt.Fprintf(stderr, "dosirak: %s\n", fault.Message(printed))
		}
	}
	return fault.ExitCode(err)
}

// wantsJSON reports whether the command line asks for JSON, also where it
// could not be read to its end.
func wantsJSON(cmd *cobra.Command, args []string) bool {
	for _, name := range []string{"json", "format"} {
		if f := cmd.Flags().Lookup(name); f != nil && f.Changed && (f.Value.String() == "true" || f.Value.String() == "json") {
			return true
		}
	}
	return slices.Contains(args, "--json")
}

// understandable gives a tree of commands errors of the command line that name
// the nearest right word, and their code.
func understandable(root *cobra.Command) {
	root.SetFlagErrorFunc(flagError)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				if err := check(cmd, args); err != nil {
					return argumentError(cmd, args, err)
				}
				return nil
			}
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(root)
}

// argumentError words what is wrong with a command's arguments.
func argumentError(cmd *cobra.Command, args []string, err error) error {
	if fault.CodeOf(err) != nil {
		return err
	}
	if cmd.HasSubCommands() && len(args) > 0 {
		return fault.BadCommand.Usage(fmt.Errorf("%s has no command %q%s; see `%s --help`", cmd.CommandPath(), args[0], spelling.Hint(args[0], commandNames(cmd)), cmd.CommandPath()))
	}
	return fault.BadCommand.Usage(fmt.Errorf("%s: %w; it is typed: %s", cmd.CommandPath(), err, cmd.UseLine()))
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(append(names, c.Name()), c.Aliases...)
		}
	}
	return names
}

// flagError words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		hint := ""
		if near, ok := spelling.Nearest(unknown.GetSpecifiedName(), names); ok {
			hint = fmt.Sprintf("; did you mean --%s?", near)
		}
		return fault.BadCommand.Usage(fmt.Errorf("%s has no flag --%s%s; see `%s --help`", cmd.CommandPath(), unknown.GetSpecifiedName(), hint, cmd.CommandPath()))
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return fault.BadValue.Usage(fmt.Errorf("%s: %w", cmd.CommandPath(), err))
	}
	return fault.BadCommand.Usage(fmt.Errorf("%s: %s; see `%s --help`", cmd.CommandPath(), strings.TrimSuffix(err.Error(), "."), cmd.CommandPath()))
}
