package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/image"
)

// imageResult is what `image --json` prints.
type imageResult struct {
	image.Built
	Pushed string `json:"pushed,omitempty"` // repository@digest
}

func newImageCommand() *cobra.Command {
	var o image.Options
	var platform, push string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "image BUNDLE",
		Short: "Build the serving image of a bundle, without a Docker daemon",
		Long: `image packs a sealed bundle and the model server into an OCI image on an empty
base. It runs as a user without rights and needs no writable file. The digest
depends on the bundle and the release of dosirak only.

Two forms of the same image are written into the folder of --out: ` + image.ArchiveFile + `,
which docker load and every OCI tool reads, and ` + image.LayoutDir + `, an OCI layout.
--push sends it to a registry too, with the credentials of docker login.`,
		Example: `  dosirak image deploy/bundles/flights-delay
  dosirak image bundle --platform linux/arm64 --out out
  dosirak image bundle --push ghcr.io/acme/flights-delay`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if platform != "" {
				if o.Platform, err = image.ParsePlatform(platform); err != nil {
					return err
				}
			}
			if o.CacheDir, err = cacheFolder(); err != nil {
				return err
			}
			o.BundleDir, o.Release, o.Server = args[0], releaseVersion(), newServer(o.CacheDir, sayTo(cmd.ErrOrStderr()))
			var out imageResult
			if out.Built, err = image.Build(cmd.Context(), o); err != nil {
				return err
			}
			if push != "" {
				if out.Pushed, err = image.Push(cmd.Context(), out.Built, push, registryKeys(os.Getenv, os.Getenv("GITHUB_TOKEN"))); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), out)
			}
			return showImage(cmd.OutOrStdout(), out)
		},
	}
	cmd.Flags().StringVar(&o.OutDir, "out", filepath.Join(".dosirak", "image"), "folder that gets the image, replacing one that is there")
	cmd.Flags().StringVar(&platform, "platform", "", "linux/amd64 or linux/arm64 (default: this machine's architecture)")
	cmd.Flags().StringVar(&o.Model, "name", "", "name that the model is served under (default: the bundle's)")
	cmd.Flags().StringVar(&o.Repository, "repository", "", "name of the image inside the archive (default: dosirak/<model>)")
	cmd.Flags().StringVar(&push, "push", "", "repository[:tag] to push to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func showImage(w io.Writer, out imageResult) error {
	_, err := fmt.Fprintf(w, "image    %s\nbundle   %s\nplatform %s\nsize     %.1f MB, %.1f MB to pull\narchive  %s, loads as %s\nlayout   %s\n",
		out.Digest, out.Bundle, out.Platform, float64(out.Size)/1e6, float64(out.CompressedSize)/1e6, out.Archive, out.Reference, out.Layout)
	if err == nil && out.Pushed != "" {
		_, err = fmt.Fprintf(w, "pushed   %s\n", out.Pushed)
	}
	return err
}

// cacheFolder is where dosirak keeps what is made again and again, for all
// projects of a user.
func cacheFolder() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fault.NoCacheFolder.Environment(fmt.Errorf("finding the cache folder: %w; set XDG_CACHE_HOME", err))
	}
	return filepath.Join(dir, "dosirak"), nil
}
