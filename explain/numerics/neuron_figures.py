"""Names of the figures of neurons, for options and pickers; no NumPy, so that the command line starts at once."""

# The meaning of each figure, as pages show it.
NEURON_FIGURES = {
    "activation": "what the neuron gives at the word; of several pieces, the one of the largest size",
    "above_elsewhere": "its activation at the word less its mean at the text's other tokens",
    "gradient": "how far the target moves for each unit that the activation at the word is raised by",
    "activation_x_gradient": "to first order, how far the target falls when the neuron is set to zero at the word",
}
