"""Speed, size and memory of Nuvo beside restic, borg, git, cp, rsync and nbgitpuller: ``make bench``."""
