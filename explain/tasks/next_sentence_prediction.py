"""Next sentence: whether the second text follows the first, as BERT was pretrained to tell (Devlin et al. 2019).

log-odds of "is next"    F = z_0 - z_1

https://arxiv.org/abs/1810.04805, section 3.1, task 2. Column 0 is "is next".
"""

from explain.tasks.base import TASKS, LabelTask


class NextSentencePrediction(LabelTask):
    """Does the second text follow the first?"""

    name = "next_sentence_prediction"
    hub_name = "next-sentence-prediction"
    title = "Next sentence"
    auto_class = "AutoModelForNextSentencePrediction"
    also_in = ("BertForPreTraining",)
    columns = ("is next", "is not next")
    scales = ("log_odds", "probability", "log_probability", "logit", "logit_difference")
    texts = ("Sentence", "Next sentence")
    pair = "always"
    examples = {
        "it follows": (
            "The old lighthouse was built in 1852 on a rock off the coast.",
            "Its keepers lived there with their families until the lamp was made automatic.",
        ),
        "it does not": (
            "The old lighthouse was built in 1852 on a rock off the coast.",
            "Add the sugar and beat the eggs until the mixture is pale and thick.",
        ),
        "same topic, no order": (
            "He thanked the voters and left the stage.",
            "Early in the morning he had begun to write his speech.",
        ),
    }


TASKS.register("next_sentence_prediction")(NextSentencePrediction())
