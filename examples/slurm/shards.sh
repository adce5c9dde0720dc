#!/bin/bash
#SBATCH --job-name=isometry-shards
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --output=isometry-shards-%A_%a.log
# One task of an array: writes its share of the shards. The command finds SLURM_ARRAY_TASK_ID and
# SLURM_ARRAY_TASK_COUNT by itself. A task that is started again finds what is finished and does the rest.
# SOURCE (a config.json or a plan), DIRECTORY and SEED come from submit.sh; ISOMETRY is the command.
set -euo pipefail

${ISOMETRY:-npx isometry} init "$SOURCE" --out "$DIRECTORY/" --seed "$SEED" --max-shard-size "${MAX_SHARD_SIZE:-5GB}"
