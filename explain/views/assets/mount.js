// Ends the script of each view as a component of the app: draws, and tells the page what is chosen in the drawing.

export default function (component) {
  const root = component.parentElement.querySelector(".view");
  root.explainSend = (name, value) => component.setTriggerValue(name, value);
  redraw(draw, root, component.data);
}
