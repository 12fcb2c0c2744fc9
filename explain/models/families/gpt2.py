"""GPT-2 (Radford et al. 2019): the first causal family."""

from explain.models.families import FAMILIES, Family

FAMILIES.register("gpt2")(
    Family(heads={"AutoModelForCausalLM": ("lm_head",)}, second_map=r"h\.\d+\.mlp\.c_proj", causal=True)
)
