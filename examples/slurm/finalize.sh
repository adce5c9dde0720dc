#!/bin/bash
#SBATCH --job-name=isometry-finalize
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --time=00:10:00
#SBATCH --output=isometry-finalize-%j.log
# Checks all shards and writes the index, once the whole array has succeeded.
set -euo pipefail

${ISOMETRY:-npx isometry} finalize "$DIRECTORY"
