package image

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// bundleDir is where the bundle lies in the image.
const bundleDir = "/bundle"

// content is a verified bundle and its files as they go into the image.
type content struct {
	*bundle.Opened
	Files []file
}

// readBundle opens and verifies the bundle in dir.
func readBundle(dir string) (content, error) {
	opened, err := bundle.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; a bundle is a folder that `dosirak seal` wrote", err)
		}
		return content{}, fault.BadBundle.Usage(err)
	}
	description, err := opened.Description()
	if err != nil {
		return content{}, fault.BadBundle.Usage(err)
	}
	c := content{Opened: opened, Files: []file{
		{Name: path.Join(bundleDir, bundle.File), Mode: 0o444, Data: description},
	}}
	for _, entry := range opened.Bundle.Files {
		c.Files = append(c.Files, file{
			Name: path.Join(bundleDir, entry.Path), Mode: 0o444,
			Path: filepath.Join(dir, entry.Path), SHA256: entry.SHA256,
		})
	}
	return c, nil
}
