"""Fine-tuning: adapters, examples, budgets, memory, the loop, and what it leaves behind."""
