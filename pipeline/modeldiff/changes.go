package modeldiff

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/provenance"
)

// Kind groups changes.
type Kind string

// The kinds, in the order in which they are listed: what a person changed on
// purpose first, what changed by itself last.
const (
	Code       Kind = "code"
	Parameter  Kind = "parameter"
	Data       Kind = "data"
	Dependency Kind = "dependency"
	Hardware   Kind = "hardware"
	Seed       Kind = "seed"
)

var kinds = []Kind{Code, Parameter, Data, Dependency, Hardware, Seed}

// MaxChanges bounds the rows of one kind. Beyond it, the last row says how many
// more there are.
const MaxChanges = 50

// Change is one thing that differs.
type Change struct {
	Kind Kind
	Path string // a file, a parameter's name, a library
	Old  string // production's; "" where it had none
	New  string // the candidate's; "" where it has none
}

// File is a file that differs between two commits.
type File struct {
	Path     string
	Old, New string // any name of the content; "" where there is none
}

// Input is what is known of the two trainings.
type Input struct {
	Old, New provenance.Statement // production's and the candidate's
	// Files differ between the two commits, and are what the caller takes for
	// code: no data, manifests or bundles. They are used only where one of the
	// statements does not name the inputs of its training, which tell the same
	// more exactly: the digests are of what was there, committed or not, and
	// only of what training depends on.
	Files []File
}

// Changes lists what differs, by kind and then by path, at most MaxChanges of
// a kind.
func Changes(in Input) []Change {
	all := map[Kind][]Change{}
	add := func(kind Kind, path, old, new string) {
		if old != new {
			old, new = contrast(old, new)
			all[kind] = append(all[kind], Change{kind, path, old, new})
		}
	}
	files(in, add)
	parameters(in, add)
	dependencies(in, add)
	was, is := in.Old.Predicate.BuildDefinition.InternalParameters.Machine, in.New.Predicate.BuildDefinition.InternalParameters.Machine
	add(Hardware, "system", was.OS, is.OS)
	add(Hardware, "architecture", was.Arch, is.Arch)
	add(Hardware, "processor", was.CPU, is.CPU)
	add(Hardware, "cores", positive(was.Cores), positive(is.Cores))
	if then, now := in.Old.Predicate.BuildDefinition.InternalParameters.Runtime, in.New.Predicate.BuildDefinition.InternalParameters.Runtime; then != nil && now != nil {
		add(Hardware, "executor", then.Executor, now.Executor)
		runtimes(*then, *now, add)
	}
	add(Seed, "train.seeds", seeds(in.Old), seeds(in.New))

	var out []Change
	for _, kind := range kinds {
		found := all[kind]
		slices.SortStableFunc(found, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
		if more := len(found) - MaxChanges + 1; more > 1 {
			found = append(found[:MaxChanges-1:MaxChanges-1], Change{Kind: kind, Path: fmt.Sprintf("and %d more", more)})
		}
		out = append(out, found...)
	}
	return out
}

type adder func(kind Kind, path, old, new string)

// files adds data and code.
func files(in Input, add adder) {
	wasInputs, isInputs := byName(in.Old.Inputs()), byName(in.New.Inputs())
	// Data that lies in the project is among the inputs too: it is said once,
	// as data, by its path.
	wasData, isData := byName(in.Old.Data()), byName(in.New.Data())
	said := map[string]bool{}
	for _, role := range names(wasData, isData) {
		path := role
		for _, name := range names(wasInputs, isInputs) {
			if d, ok := isInputs[name]; ok && d == isData[role] && wasInputs[name] == wasData[role] {
				path = name
				said[name] = true
			}
		}
		add(Data, path, short(wasData[role]), short(isData[role]))
	}
	if len(wasInputs) > 0 && len(isInputs) > 0 {
		for _, path := range names(wasInputs, isInputs) {
			if !said[path] {
				add(Code, path, short(wasInputs[path]), short(isInputs[path]))
			}
		}
	} else {
		for _, f := range in.Files {
			add(Code, f.Path, short(f.Old), short(f.New))
		}
	}
	add(Code, "(work tree)", workTree(in.Old), workTree(in.New))
}

// workTree says that a model was not trained from a commit alone, "" where it
// was; two models that were not are no difference, unless in different files.
func workTree(s provenance.Statement) string {
	source := s.Source()
	switch {
	case s.Type == "":
		return "" // nothing is known
	case source.Commit == "":
		return "no commit: " + source.Missing
	case source.Dirty:
		n := len(source.Changed) + source.More
		text := fmt.Sprintf("%d uncommitted changes", n)
		if n == 1 {
			text = "1 uncommitted change"
		}
		if len(source.Changed) > 0 {
			text += ": " + strings.Join(source.Changed, ", ")
		}
		return text
	}
	return ""
}

// parameters adds what the trainer says it trained with, and how it was called.
func parameters(in Input, add adder) {
	was, is := in.Old.Predicate.BuildDefinition.ExternalParameters, in.New.Predicate.BuildDefinition.ExternalParameters
	add(Parameter, "train.command", was.Command, is.Command)
	add(Parameter, "train.setup", was.Setup, is.Setup)
	wasParams, isParams := flatten(in.Old.Params()), flatten(in.New.Params())
	for _, name := range names(wasParams, isParams) {
		add(Parameter, name, wasParams[name], isParams[name])
	}
}

// runtimes adds the interpreters that trained, and the threads that they had.
func runtimes(was, is provenance.Runtime, add adder) {
	versions := func(r provenance.Runtime) map[string]string {
		out := map[string]string{}
		for _, t := range r.Tools {
			name := t.Name + " (installed)"
			if had, two := out[name]; two {
				t.Version = had + ", " + t.Version
			}
			out[name] = t.Version
		}
		return out
	}
	then, now := versions(was), versions(is)
	for _, name := range names(then, now) {
		add(Dependency, name, then[name], now[name])
	}
	variables := func(r provenance.Runtime) map[string]string {
		out := map[string]string{}
		for _, variable := range r.Threads {
			name, value, _ := strings.Cut(variable, "=")
			out[name] = value
		}
		return out
	}
	threads, theirs := variables(is), variables(was)
	// One number is given to all of them, unless the user set some.
	add(Hardware, "threads (OMP_NUM_THREADS)", theirs["OMP_NUM_THREADS"], threads["OMP_NUM_THREADS"])
	for _, name := range names(theirs, threads) {
		if theirs[name] != theirs["OMP_NUM_THREADS"] || threads[name] != threads["OMP_NUM_THREADS"] {
			add(Hardware, name, theirs[name], threads[name])
		}
	}
}

// dependencies adds the versions that lock files name, and dosirak's own. A
// library is one thing whichever file names it, so that moving from one lock
// file to another is no change of any version.
func dependencies(in Input, add adder) {
	// What was installed counts where both trainings know it.
	installed := in.Old.Predicate.BuildDefinition.InternalParameters.Runtime != nil && in.New.Predicate.BuildDefinition.InternalParameters.Runtime != nil
	was, is := versions(in.Old, installed), versions(in.New, installed)
	for _, name := range names(was, is) {
		add(Dependency, name, was[name], is[name])
	}
	add(Dependency, "dosirak", in.Old.Predicate.RunDetails.Builder.Version["dosirak"], in.New.Predicate.RunDetails.Builder.Version["dosirak"])
}

func versions(s provenance.Statement, installed bool) map[string]string {
	all := map[string][]string{}
	if installed {
		for _, t := range s.Predicate.BuildDefinition.InternalParameters.Runtime.Tools {
			for _, p := range t.Packages {
				all[p.Name] = append(all[p.Name], p.Version)
			}
		}
	}
	for _, l := range s.Predicate.BuildDefinition.InternalParameters.Libraries {
		all[l.Name] = append(all[l.Name], l.Version)
	}
	out := make(map[string]string, len(all))
	for name, list := range all {
		slices.Sort(list)
		out[name] = strings.Join(slices.Compact(list), ", ")
	}
	return out
}

func seeds(s provenance.Statement) string {
	var b strings.Builder
	for i, seed := range s.Predicate.BuildDefinition.ExternalParameters.Seeds {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.FormatInt(seed, 10))
	}
	return b.String()
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func byName(list []provenance.Digest) map[string]string {
	out := make(map[string]string, len(list))
	for _, d := range list {
		out[d.Name] = d.Digest
	}
	return out
}

// names returns the keys of both maps, sorted.
func names[V any](a, b map[string]V) []string {
	var out []string
	for name := range a {
		out = append(out, name)
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}
