#!/usr/bin/env bash
# One shard a task of a Slurm array, each on a node of its own. How to start and merge: README.md.
#SBATCH --job-name=harness
#SBATCH --array=1-4
#SBATCH --exclusive
#SBATCH --time=00:30:00
set -euo pipefail

harness=${HARNESS:-harness}
scenarios=${SCENARIOS:-scenarios}
profile=${PROFILE:-full}
out=${OUT:-out}
shard=$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT

status=0
"$harness" run "$scenarios" --profile "$profile" --shard "$shard" --progress plain \
  --out "$out/shard-$SLURM_ARRAY_TASK_ID" || status=$?
# More tasks than cells: this one has nothing to do, and merging notices if that is not so.
if [[ $status == 4 ]]; then status=0; fi
exit "$status"
