"""What a whole course does in one go: release, grade, decide, report, export."""
