package doctor

import "context"

// closing are the types of rules that keep a token from a branch of ours, and
// what each keeps it from.
// https://docs.github.com/rest/repos/rules#get-rules-for-a-branch
var closing = map[string]string{
	"creation":         "creating branches",
	"update":           "moving branches",
	"deletion":         "deleting branches",
	"non_fast_forward": "replacing a proposal in place (a forced push)",
	"pull_request":     "committing without a pull request",
}

// checkRules looks for rules on our branches, and for a branch in their way.
func checkRules(ctx context.Context, s Subject) []Finding {
	var out []Finding
	for _, name := range []string{"dosirak", "dosirak/promote", "dosirak/rollback"} {
		exists, err := s.GitHub.Exists(ctx, name)
		if err != nil {
			return asked("promote", err)
		}
		if exists {
			out = append(out, fail("promote, rollback", "rename it", "a branch named %s leaves no room for branches below it", name))
		}
	}
	for _, environment := range s.Config.Environments {
		branch := "dosirak/promote/" + s.Config.Model + "/" + environment
		rules, err := s.GitHub.Rules(ctx, branch)
		if err != nil {
			return append(out, asked("promote", err)...)
		}
		var kept []string
		for _, r := range rules {
			if what, closes := closing[r.Type]; closes {
				kept = append(kept, what)
			}
		}
		if len(kept) > 0 {
			out = append(out, fail("promote, rollback", "in Settings, Rules let the token's owner bypass them, or leave dosirak/** out of them", "rules on %s forbid %s", branch, list(unique(kept))))
		}
	}
	if out == nil {
		return ok("no rule closes dosirak/**")
	}
	return out
}
