# shellcheck shell=bash
# Starts Docker Engine when no daemon answers and we are root; run again it
# changes nothing. May be sourced or run. The daemon stays, for the next run.
#
# Engine comes from Debian (docker.io). The daemon needs no network of its own:
# images are loaded from archives, never pulled.

docker_answers() { docker version --format '{{.Server.Version}}' 2>/dev/null; }

# start_dockerd FLAG... starts a daemon with these flags and waits until it
# answers; fails as soon as it has ended, or after 60 s.
start_dockerd() {
  local log=$1 pid
  shift
  # A session of its own, so that Ctrl-C at the terminal does not take it along.
  setsid nohup dockerd "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  disown "$pid" 2>/dev/null || true
  for _ in $(seq 240); do
    if docker_answers >/dev/null; then return 0; fi
    if ! kill -0 "$pid" 2>/dev/null; then return 1; fi
    sleep 0.25
  done
  kill "$pid" 2>/dev/null || true
  return 1
}

ensure_docker() {
  local version log=${TMPDIR:-/tmp}/dockerd.log flags
  if command -v docker >/dev/null && version=$(docker_answers) && [ -n "$version" ]; then
    echo "docker: Engine $version answers already"
    return 0
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "docker: no daemon answers and we are not root; the Docker tests will skip"
    return 0
  fi
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
    echo "docker: installing docker.io"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
  fi
  # Plain first. A file system below that cannot stack (a container's overlay)
  # needs vfs; a kernel without netfilter needs no iptables, and internal
  # networks have no route outside without them too.
  for flags in "" "--storage-driver=vfs" "--storage-driver=vfs --iptables=false --ip6tables=false"; do
    # shellcheck disable=SC2086 # flags are words of ours
    if start_dockerd "$log" $flags; then
      echo "docker: started Engine $(docker_answers)${flags:+ with $flags}; its log is $log"
      return 0
    fi
  done
  echo "docker: dockerd does not start; the end of $log:" >&2
  tail -n 20 "$log" >&2
  return 1
}

ensure_docker
