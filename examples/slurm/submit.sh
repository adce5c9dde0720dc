#!/bin/bash
# Has an array of tasks write a model's checkpoint, and a job behind it the index:
#   submit.sh SOURCE DIRECTORY SEED TASKS [MAX_SHARD_SIZE]
# Prints the number of the last job. SOURCE and DIRECTORY are on a file system that all nodes have.
set -euo pipefail

if [ $# -lt 4 ]; then
  echo "usage: submit.sh SOURCE DIRECTORY SEED TASKS [MAX_SHARD_SIZE]" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
SOURCE=$(realpath "$1")
DIRECTORY=$(realpath -m "$2")
SEED=$3
MAX_SHARD_SIZE=${5:-5GB}
export SOURCE DIRECTORY SEED MAX_SHARD_SIZE

# sbatch gives jobs the environment that it has itself.
array=$(sbatch --parsable --array="0-$(($4 - 1))" "$here/shards.sh")
# Only after all have succeeded; if one fails for good, this job is taken off the queue.
sbatch --parsable --dependency="afterok:$array" --kill-on-invalid-dep=yes "$here/finalize.sh"
