"""Several LoRA adapters of one base model made into one."""
