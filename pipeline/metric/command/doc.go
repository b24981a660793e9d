// Package command runs the command of a custom metric: it gets a file of
// predictions and prints one number per row, in the rows' order, or one for
// all.
//
// The command is the user's own, from the exam, and is run by sh -c. The path
// of the file reaches it as the variable DOSIRAK_PREDICTIONS, and as
// {predictions}, which stands for that variable in double quotes: no path is
// ever read as shell. It is text for the shell, so write {predictions} outside
// of quotes.
package command
