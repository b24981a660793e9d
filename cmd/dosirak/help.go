package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// newHelpCommand is cobra's help, and the pages of the error codes.
func newHelpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help on a command, or on the code of an error",
		Long: `help prints the help of a command, as COMMAND --help does. help error CODE prints
what the code at the end of an error means, how it comes about, and the way out.`,
		Example: `  dosirak help promote
  dosirak help error E0101`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || found == nil || len(rest) > 0 && found == cmd.Root() {
				return argumentError(cmd.Root(), args, errors.New("there is no such command"))
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			found, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(found), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.AddCommand(newHelpErrorCommand())
	return cmd
}

func newHelpErrorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "error [CODE]",
		Short: "Say what an error's code means; without a code, list all",
		Example: `  dosirak help error E0101
  dosirak help error`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeCodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if len(args) == 0 {
				return listCodes(out)
			}
			code, ok := findCode(args[0])
			if !ok {
				return fault.BadValue.Usage(fmt.Errorf("there is no error %q%s; `dosirak help error` lists all", args[0], nearestCode(args[0])))
			}
			columns := 80
			if w := width(out); w > 0 {
				columns = min(w, 100)
			}
			_, err := io.WriteString(out, code.Page(columns))
			return err
		},
	}
}

// findCode takes a code as it stands in a message, (E0101), or its digits.
func findCode(text string) (*fault.Code, bool) {
	text = strings.Trim(text, "()[]. ")
	if code, ok := fault.Find(text); ok {
		return code, true
	}
	return fault.Find("E" + text)
}

func nearestCode(text string) string {
	var ids []string
	for _, c := range fault.Codes() {
		ids = append(ids, c.ID)
	}
	near, ok := spelling.Nearest(strings.ToUpper(text), ids)
	if !ok {
		return ""
	}
	code, _ := fault.Find(near)
	return fmt.Sprintf("; the nearest is %s (%s)", near, code.Title)
}

func listCodes(w io.Writer) error {
	var b strings.Builder
	area := fault.Area{}
	for _, c := range fault.Codes() {
		if c.Area != area {
			if area.Name != "" {
				b.WriteByte('\n')
			}
			area = c.Area
			b.WriteString(area.Name + "\n")
		}
		fmt.Fprintf(&b, "  %s  %s\n", c.ID, c.Title)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func completeCodes(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) == 0 {
		for _, c := range fault.Codes() {
			ids = append(ids, c.ID+"\t"+c.Title)
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
