package github

import (
	"context"
	"encoding/json"
	"fmt"

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
func (f *Forge) ShowDeployment(ctx context.Context, d reconcile.Deployment) (reconcile.Told, error) {
	environment := d.Model + "/" + d.Environment
	doing := "telling the deployment of " + environment
	told := reconcile.Told{Operation: reconcile.Unchanged}
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
	newest, _, err := f.rest.Repositories.ListDeployments(ctx, f.owner, f.name, &github.DeploymentsListOptions{
		Environment: d.Model + "/" + d.Environment, Task: deploymentTask, ListOptions: github.ListOptions{PerPage: 1},
	})
	if err != nil || len(newest) == 0 {
		return 0, err
	}
	if decodePayload(newest[0].Payload) != (payload{d.Bundle, d.Image}) {
		return 0, nil
	}
	return newest[0].GetID(), nil
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
			return made.GetID(), nil
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
