"""What the studies of this folder share: problems, a resumable runner, child processes, pages."""
