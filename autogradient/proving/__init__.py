"""An assignment against its own answers; confinement against attempts to break it."""
