#!/usr/bin/env bash
# Waits until a Job has ended, well or not: 0 it is complete, 1 it failed, 124 it took too long.
set -euo pipefail

job=${1:-harness}
limit_s=${2:-3600}
pause_s=${PAUSE_S:-5}

# The conditions that hold, one after the other: `kubectl wait` waits for one of them only.
conditions='{range .status.conditions[?(@.status=="True")]}{.type}{" "}{end}'
until ((SECONDS >= limit_s)); do
  # A server that does not answer now may answer later.
  ended=$(kubectl get "job/$job" --output "jsonpath=$conditions") || ended=
  case " $ended " in
    *" Complete "*) exit 0 ;;
    *" Failed "*)
      echo "job $job has failed: kubectl describe job/$job" >&2
      exit 1
      ;;
  esac
  sleep "$pause_s"
done
echo "job $job has not ended within $limit_s s" >&2
exit 124
