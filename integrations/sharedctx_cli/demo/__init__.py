"""The main job on real files, by agents in processes of their own."""
