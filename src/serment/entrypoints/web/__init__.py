"""The pages people see: server-rendered, no foreign origin, no key and no rule of their own."""
