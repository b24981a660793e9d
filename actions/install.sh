#!/usr/bin/env bash
# Provides the dosirak binary that belongs to these actions and tells its path
# as the step output "binary".
#
# In a release, release.txt beside this file names the version and the SHA-256
# of each binary. The binary is downloaded, held against that digest, and then
# against the build provenance that GitHub attested; either failing ends the
# job. Elsewhere there is no such file, and the binary is built from the source
# that these actions came with.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=dosirak-ml/dosirak
fail() { printf '::error::dosirak: %s\n' "$1"; exit "${2:-4}"; }

dir=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/dosirak
mkdir -p "$dir"

if [ ! -e "$here/release.txt" ]; then
  command -v go >/dev/null || fail "these actions are not a release, so they are built from source, and there is no Go: use a released version, or actions/setup-go before them" 2
  # One build a job: what it was built from is part of its name.
  source=$(cd "$here/.." && find cmd actions pipeline model-server internal go.mod go.sum -type f ! -name '*_test.go' ! -path '*/testdata/*' -print0 | LC_ALL=C sort -z | xargs -0 cat | { sha256sum 2>/dev/null || shasum -a 256; })
  binary=$dir/dosirak-${source:0:16}
  [ -x "$binary" ] || (cd "$here/.." && go build -trimpath -buildvcs=false -ldflags "-s -w -X 'main.sourceDir=$(pwd)'" -o "$binary" ./cmd/dosirak) || fail "building from source failed; the lines above say why"
else
  case "$(uname -s)" in Linux) os=linux ;; Darwin) os=darwin ;; *) fail "there is no binary for $(uname -s): use a runner with Linux or macOS" 2 ;; esac
  case "$(uname -m)" in x86_64 | amd64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) fail "there is no binary for $(uname -m): use a runner with amd64 or arm64" 2 ;; esac
  asset=dosirak_${os}_${arch}
  version=$(awk '$1 == "version" { print $2 }' "$here/release.txt")
  digest=$(awk -v asset="$asset" '$2 == asset { print $1 }' "$here/release.txt")
  [[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "release.txt names no version: the actions were changed after their release" 2
  [[ $digest =~ ^[0-9a-f]{64}$ ]] || fail "release.txt has no digest of $asset: the actions were changed after their release" 2
  binary=$dir/dosirak-$version
  matches() { printf '%s  %s\n' "$digest" "$1" | { sha256sum --check --status 2>/dev/null || shasum -a 256 --check --status 2>/dev/null; }; }
  # A binary that an earlier step of this job left was verified there; only its
  # digest is looked at again.
  if ! { [ -x "$binary" ] && matches "$binary"; }; then
    fresh=$(mktemp "$dir/download.XXXXXX")
    trap 'rm -f "$fresh"' EXIT
    curl --fail --silent --show-error --location --retry 3 --proto '=https' --tlsv1.2 --output "$fresh" \
      "https://github.com/$repository/releases/download/$version/$asset" || fail "downloading $asset $version failed; trying again may help"
    matches "$fresh" || fail "$asset $version is not the file that was released: its digest is not the one in release.txt. Nothing was run" 2
    command -v gh >/dev/null || fail "there is no gh, which verifies where the binary was built: use a runner that has the GitHub CLI" 2
    gh attestation verify "$fresh" --repo "$repository" --signer-workflow "$repository/.github/workflows/release.yml" >/dev/null ||
      fail "the provenance of $asset $version could not be verified. Nothing was run"
    chmod 755 "$fresh"
    mv -f "$fresh" "$binary"
    trap - EXIT
  fi
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'binary=%s\n' "$binary" >>"$GITHUB_OUTPUT"; else printf '%s\n' "$binary"; fi
