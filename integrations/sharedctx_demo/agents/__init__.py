"""One module for each agent of the demo; ``python -m sharedctx_demo.agents`` runs one of them."""
