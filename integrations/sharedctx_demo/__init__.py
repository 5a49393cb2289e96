"""The main job on real files: agents of every installed framework, each in a process of its own, on one session."""
