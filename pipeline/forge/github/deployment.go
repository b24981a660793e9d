package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-github/v60/github"

	"github.com/dosirak-ml/dosirak/pipeline/reconcile"
)

var (
	_ reconcile.Deployments = (*Forge)(nil)
	_ reconcile.Issues      = (*Forge)(nil)

	readDeployments  = need{"deployments", "read"}
	writeDeployments = need{"deployments", "write"}
)

// deploymentTask marks our deployments among those of others.
const deploymentTask = "dosirak"

// payload says what a deployment is of. A commit of the base branch that
// leaves the manifest alone makes no new one.
type payload struct {
	Bundle string `json:"bundle"`
	Image  string `json:"image"`
}

// ShowDeployment makes the deployment of a bundle, unless the newest one is of it
// already, and gives it its status. The environment is named
// <model>/<environment>: a status that succeeds makes the earlier deployments
// of the same name inactive, and models must not do that to each other.
// https://docs.github.com/rest/deployments/statuses#create-a-deployment-status
func (f *Forge) ShowDeployment(ctx context.Context, d reconcile.Deployment) (reconcile.NotifyResult, error) {
	environment := d.Model + "/" + d.Environment
	doing := "telling the deployment of " + environment
	told := reconcile.NotifyResult{Operation: reconcile.Unchanged}
	id, err := f.deployed(ctx, d)
	if err != nil {
		return told, explain(doing, readDeployments, err)
	}
	if id == 0 {
		told.Operation = reconcile.Opened
		if id, err = f.deploy(ctx, d); err != nil {
			return told, explain(doing, writeDeployments, err)
		}
	}
	state := "success"
	if d.State != reconcile.InSync {
		state = "failure"
	}
	description := d.Description
	if runes := []rune(description); len(runes) > 140 {
		description = string(runes[:139]) + "…"
	}
	// The newest comes first; a status is never changed, only followed.
	statuses, _, err := f.rest.Repositories.ListDeploymentStatuses(ctx, f.owner, f.name, id, &github.ListOptions{PerPage: 1})
	if err != nil {
		return told, explain(doing, readDeployments, err)
	}
	if len(statuses) > 0 && statuses[0].GetState() == state && statuses[0].GetDescription() == description && statuses[0].GetEnvironmentURL() == d.Address {
		return told, nil
	}
	if told.Operation == reconcile.Unchanged {
		told.Operation = reconcile.Updated
	}
	request := &github.DeploymentStatusRequest{State: &state, Description: &description}
	if d.Address != "" {
		request.EnvironmentURL = &d.Address
	}
	// Setting it twice shows the same.
	_, _, err = f.rest.Repositories.CreateDeploymentStatus(repeat(ctx), f.owner, f.name, id, request)
	return told, explain(doing, writeDeployments, err)
}

// deployed returns the newest deployment of the environment when it is of
// this bundle and image, else 0.
func (f *Forge) deployed(ctx context.Context, d reconcile.Deployment) (int64, error) {
	newest, err := f.deployments(ctx, d, 1)
	if err != nil || len(newest) == 0 || decodePayload(newest[0].Payload) != (payload{d.Bundle, d.Image}) {
		return 0, err
	}
	return newest[0].GetID(), nil
}

// deployments lists our own of an environment, newest first.
func (f *Forge) deployments(ctx context.Context, d reconcile.Deployment, most int) ([]*github.Deployment, error) {
	list, _, err := f.rest.Repositories.ListDeployments(ctx, f.owner, f.name, &github.DeploymentsListOptions{
		Environment: d.Model + "/" + d.Environment, Task: deploymentTask, ListOptions: github.ListOptions{PerPage: most},
	})
	return list, err
}

// alone settles with those who made the same deployment at the same time, or
// shortly before, when a list that lags behind did not show it: the oldest
// stays. It returns that one.
func (f *Forge) alone(ctx context.Context, d reconcile.Deployment, made int64) (int64, error) {
	for attempt := 1; attempt <= attempts; attempt++ {
		list, err := f.deployments(ctx, d, 10)
		if err != nil {
			return made, err
		}
		at := slices.IndexFunc(list, func(o *github.Deployment) bool { return o.GetID() == made })
		if at < 0 {
			if err := f.pause(ctx, attempt); err != nil {
				return made, err
			}
			continue
		}
		oldest := made
		for _, o := range list[at+1:] {
			if decodePayload(o.Payload) != (payload{d.Bundle, d.Image}) {
				break
			}
			oldest = o.GetID()
		}
		if oldest == made {
			return made, nil
		}
		// GitHub deletes only what is not active.
		inactive := &github.DeploymentStatusRequest{State: github.String("inactive")}
		if _, _, err := f.rest.Repositories.CreateDeploymentStatus(repeat(ctx), f.owner, f.name, made, inactive); err != nil {
			return oldest, err
		}
		_, err = f.rest.Repositories.DeleteDeployment(ctx, f.owner, f.name, made)
		if status(err) == http.StatusNotFound {
			err = nil
		}
		return oldest, err
	}
	return made, nil
}

// decodePayload reads an object, or a text that holds one: GitHub's
// description allows both. What is neither is nobody's.
func decodePayload(raw json.RawMessage) (p payload) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if json.Unmarshal(raw, &p) != nil {
		return payload{}
	}
	return p
}

func (f *Forge) deploy(ctx context.Context, d reconcile.Deployment) (int64, error) {
	for attempt := 1; ; attempt++ {
		made, _, err := f.rest.Repositories.CreateDeployment(ctx, f.owner, f.name, &github.DeploymentRequest{
			Ref: &d.Commit, Task: github.String(deploymentTask), Environment: github.String(d.Model + "/" + d.Environment),
			Payload: payload{d.Bundle, d.Image}, ProductionEnvironment: &d.Production,
			Description: github.String(fmt.Sprintf("bundle %.19s…", d.Bundle)),
			// Nothing is merged, and nothing is asked: the manifest is merged already.
			AutoMerge: github.Bool(false), RequiredContexts: &[]string{},
		})
		if err == nil {
			return f.alone(ctx, d, made.GetID())
		}
		if !unclear(err) || attempt == attempts {
			return 0, err
		}
		// It may be there all the same.
		if err := f.pause(ctx, attempt); err != nil {
			return 0, err
		}
		if id, err := f.deployed(ctx, d); err != nil || id != 0 {
			return id, err
		}
	}
}
