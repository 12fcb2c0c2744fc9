// A document without a browser: as much of the DOM as the scripts of the views use, and a layout that tests can reckon.
//
// Elements are as large as their `rect`, which a test sets. Letters are 10 pixels wide and lines 20 high; a text breaks at
// the width of its element. Styles are those set on an element; custom properties and the color come from its ancestors.

const SVG = "http://www.w3.org/2000/svg";
const LETTER = 10;
const LINE = 20;

class FakeNode {
  parentNode = null;
  childNodes = [];

  get parentElement() {
    return this.parentNode instanceof FakeElement ? this.parentNode : null;
  }

  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  get lastChild() {
    return this.childNodes.at(-1) ?? null;
  }

  get ownerDocument() {
    return this.page.document;
  }

  get isConnected() {
    return this.getRootNode() === this.page.document;
  }

  getRootNode() {
    return this.parentNode ? this.parentNode.getRootNode() : this;
  }

  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }

  set textContent(text) {
    this.replaceChildren(text);
  }

  append(...children) {
    for (const child of children) this.insertBefore(child, null);
  }

  prepend(...children) {
    const first = this.firstChild;
    for (const child of children) this.insertBefore(child, first);
  }

  insertBefore(child, before) {
    const node = child instanceof FakeNode ? child : new FakeText(this.page, String(child));
    node.remove();
    const place = before ? this.childNodes.indexOf(before) : this.childNodes.length;
    this.childNodes.splice(place, 0, node);
    node.parentNode = this;
  }

  replaceChildren(...children) {
    for (const child of [...this.childNodes]) child.remove();
    this.append(...children);
  }

  remove() {
    if (!this.parentNode) return;
    this.parentNode.childNodes.splice(this.parentNode.childNodes.indexOf(this), 1);
    this.parentNode = null;
  }
}

class FakeText extends FakeNode {
  nodeType = 3;

  constructor(page, data) {
    super();
    Object.assign(this, { page, data });
  }

  get length() {
    return this.data.length;
  }

  get textContent() {
    return this.data;
  }

  cloneNode() {
    return new FakeText(this.page, this.data);
  }
}

class FakeElement extends FakeNode {
  nodeType = 1;
  attributes = new Map();
  style = new FakeStyle();
  listeners = [];
  rect = { left: 0, top: 0, width: 0, height: 0 };
  tabIndex = -1;

  constructor(page, namespaceURI, tag) {
    super();
    Object.assign(this, { page, namespaceURI, tagName: namespaceURI === SVG ? tag : tag.toUpperCase() });
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name === "style") this.style.parse(String(value));
    if (name === "tabindex") this.tabIndex = Number(value);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  hasAttribute(name) {
    return this.attributes.has(name);
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  get id() {
    return this.getAttribute("id");
  }

  get href() {
    return this.getAttribute("href");
  }

  get classList() {
    const names = () => (this.getAttribute("class") ?? "").split(/\s+/).filter(Boolean);
    const put = (kept) => this.setAttribute("class", [...new Set(kept)].join(" "));
    return {
      contains: (name) => names().includes(name),
      add: (name) => put([...names(), name]),
      remove: (name) => put(names().filter((other) => other !== name)),
      toggle: (name, on) => put(on ? [...names(), name] : names().filter((other) => other !== name)),
    };
  }

  get dataset() {
    const name = (key) => `data-${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return new Proxy({}, { get: (_, key) => this.attributes.get(name(key)) });
  }

  get descendants() {
    return this.childNodes.flatMap((child) => (child instanceof FakeElement ? [child, ...child.descendants] : []));
  }

  matches(selector) {
    return selector.split(",").some((part) => fits(this, part.trim().split(/\s+/)));
  }

  closest(selector) {
    return this.matches(selector) ? this : (this.parentElement?.closest(selector) ?? null);
  }

  querySelectorAll(selector) {
    const nodes = this.descendants.filter((node) => node.matches(selector));
    nodes.item = (place) => nodes[place];
    return nodes;
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  cloneNode() {
    const copy = new FakeElement(this.page, this.namespaceURI, this.tagName);
    for (const [name, value] of this.attributes) copy.setAttribute(name, value);
    copy.append(...this.childNodes.map((child) => child.cloneNode()));
    return copy;
  }

  addEventListener(type, react, capture = false) {
    this.listeners.push({ type, react, capture });
  }

  /** Send an event through the element and its ancestors, as a browser does; returns the event. */
  dispatch(type, properties = {}) {
    const event = { type, target: this, defaultPrevented: false, ...properties };
    event.preventDefault = () => (event.defaultPrevented = true);
    let stopped = false;
    event.stopPropagation = () => (stopped = true);
    const path = [];
    for (let node = this; node instanceof FakeElement; node = node.parentNode) path.push(node);
    const tell = (node, capture) =>
      node.listeners.filter((listener) => listener.type === type && listener.capture === capture).forEach(({ react }) => react(event));
    for (const node of path.toReversed()) if (!stopped) tell(node, true);
    for (const node of path) {
      if (stopped) break;
      node[`on${type}`]?.(event);
      tell(node, false);
    }
    return event;
  }

  click(properties = {}) {
    if (this.tagName === "A") this.page.downloads.push({ name: this.getAttribute("download"), href: this.href });
    return this.dispatch("click", properties);
  }

  press(key, properties = {}) {
    return this.dispatch("keydown", { key, ...properties });
  }

  focus() {
    const before = this.page.document.activeElement;
    if (before === this) return;
    before?.dispatch("focusout");
    before?.onblur?.({ type: "blur", target: before });
    this.page.document.activeElement = this;
    this.dispatch("focusin");
  }

  select() {
    this.page.selected = this;
  }

  scrollIntoView() {
    this.page.scrolledTo = this;
  }

  getBoundingClientRect() {
    return box(this.rect);
  }

  getClientRects() {
    return [this.getBoundingClientRect()];
  }

  get clientWidth() {
    return this.rect.width;
  }

  get clientHeight() {
    return this.rect.height;
  }

  get scrollWidth() {
    return this.rect.width;
  }

  get offsetWidth() {
    return this.rect.width;
  }

  get offsetHeight() {
    return this.rect.height;
  }

  getContext() {
    return (this.context ??= new FakeContext(this));
  }

  toDataURL() {
    return "data:image/png;base64,";
  }

  toBlob(done, type) {
    done({ type, width: this.width, height: this.height });
  }

  get contentWindow() {
    return this;
  }

  getComputedTextLength() {
    return LETTER * this.textContent.length;
  }
}

class FakeStyle {
  custom = new Map();

  setProperty(name, value) {
    this.custom.set(name, String(value));
  }

  getPropertyValue(name) {
    return this.custom.get(name) ?? this[camel(name)] ?? "";
  }

  parse(text) {
    for (const part of text.split(";").filter((part) => part.includes(":"))) {
      const [name, value] = part.split(":").map((side) => side.trim());
      this[camel(name)] = value;
    }
  }
}

/** A canvas that knows one color: the last it was filled with. */
class FakeContext {
  images = [];
  scales = [];

  constructor(canvas) {
    this.canvas = canvas;
  }

  clearRect() {
    this.pixel = [0, 0, 0, 0];
  }

  fillRect() {
    this.pixel = pixel(this.fillStyle);
  }

  getImageData() {
    return { data: this.pixel };
  }

  putImageData(image) {
    this.images.push(image);
  }

  drawImage(image) {
    this.images.push(image);
  }

  scale(factor) {
    this.scales.push(factor);
  }
}

class FakeRange {
  setStart(node, at) {
    Object.assign(this, { node, at });
  }

  setEnd(node, end) {
    this.end = end;
  }

  /** The place of the letters from start to end; an empty space at a line's end has none. */
  getClientRects() {
    const { left, top, width } = this.node.parentElement.rect;
    const perLine = Math.max(1, Math.floor(width / LETTER));
    const line = Math.floor(this.at / perLine);
    const size = LETTER * (this.end - this.at);
    const letter = this.node.data.slice(this.at, this.end);
    const seen = letter === "\n" ? 0 : size;
    return [box({ left: left + LETTER * (this.at % perLine), top: top + LINE * line, width: seen, height: LINE })];
  }
}

class FakeSerializer {
  serializeToString(node) {
    if (node instanceof FakeText) return escaped(node.data);
    const attributes = [...node.attributes].map(([name, value]) => ` ${name}="${escaped(value)}"`).join("");
    const children = node.childNodes.map((child) => this.serializeToString(child)).join("");
    return `<${node.tagName}${attributes}>${children}</${node.tagName}>`;
  }
}

function camel(name) {
  return name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function box({ left, top, width, height }) {
  return { left, top, width, height, right: left + width, bottom: top + height };
}

/** #rrggbb, rgb() and rgba() as a canvas reads them. */
function pixel(color) {
  const hex = /^#(..)(..)(..)$/.exec(color);
  if (hex) return [...hex.slice(1).map((part) => parseInt(part, 16)), 255];
  const [red, green, blue, alpha = 1] = color.match(/[\d.]+/g).map(Number);
  return [red, green, blue, Math.round(255 * alpha)];
}

/** Whether an element fits the last of the compound selectors, and its ancestors the others; ">" binds parent and child. */
function fits(node, compounds) {
  const rest = compounds.slice(0, -1);
  if (!fitsAlone(node, compounds.at(-1))) return false;
  if (!rest.length) return true;
  if (rest.at(-1) === ">") return node.parentElement !== null && fits(node.parentElement, rest.slice(0, -1));
  for (let above = node.parentElement; above; above = above.parentElement) if (fits(above, rest)) return true;
  return false;
}

function fitsAlone(node, compound) {
  const parts = compound.match(/^[\w*-]+|[#.][\w-]+|\[[^\]]+\]|:last-child/g);
  if (parts?.join("") !== compound) throw new Error(`the fake DOM does not know the selector ${compound}`);
  return parts.every((part) => {
    const name = part.slice(1);
    if (part === "*") return true;
    if (part.startsWith("#")) return node.getAttribute("id") === name;
    if (part.startsWith(".")) return node.classList.contains(name);
    if (part === ":last-child") return node.parentElement?.lastChild === node;
    if (!part.startsWith("[")) return node.tagName.toLowerCase() === part.toLowerCase();
    const [, attribute, value] = /^\[([\w-]+)(?:="(.*)")?\]$/.exec(part);
    return value === undefined ? node.hasAttribute(attribute) : node.getAttribute(attribute) === value;
  });
}

const LOOK = {
  backgroundColor: "rgba(0, 0, 0, 0)",
  borderBottomColor: "rgba(0, 0, 0, 0)",
  borderBottomStyle: "none",
  borderBottomWidth: "0px",
  borderTopLeftRadius: "0px",
  display: "block",
  fontSize: "16px",
  fontWeight: "400",
  outlineColor: "rgb(0, 0, 0)",
  outlineOffset: "0px",
  outlineStyle: "none",
  outlineWidth: "0px",
  unicodeBidi: "normal",
  visibility: "visible",
};

/** Style of an element, in a browser's terms. */
function computedStyle(node) {
  const inherited = (name) => {
    for (let at = node; at; at = at.parentElement) if (at.style.getPropertyValue(name)) return at.style.getPropertyValue(name);
    return "";
  };
  const own = Object.fromEntries(Object.keys(LOOK).map((name) => [name, node.style[name] ?? LOOK[name]]));
  const read = (name) => (name.startsWith("--") ? inherited(name) : node.style.getPropertyValue(name) || node.getAttribute(name) || "");
  return { ...own, color: inherited("color") || "rgb(0, 0, 0)", direction: inherited("direction") || "ltr", getPropertyValue: read };
}

/** The globals of a page: an empty body, and lists of what scripts did to the world outside. */
export function fakePage() {
  const page = { downloads: [], blobs: [], timers: [], clipboard: [], listeners: new Map() };
  const element = (namespace, tag) => new FakeElement(page, namespace, tag);
  const body = element("http://www.w3.org/1999/xhtml", "body");
  const documentElement = element("http://www.w3.org/1999/xhtml", "html");
  page.document = Object.assign(new FakeNode(), {
    page,
    body,
    documentElement,
    activeElement: null,
    createElement: (tag) => element("http://www.w3.org/1999/xhtml", tag),
    createElementNS: element,
    createRange: () => new FakeRange(),
    querySelector: (selector) => documentElement.querySelector(selector),
    querySelectorAll: (selector) => documentElement.querySelectorAll(selector),
    getElementById: (id) => documentElement.querySelector(`#${id}`),
    addEventListener: (type, react) => documentElement.addEventListener(type, react),
  });
  page.document.append(documentElement);
  documentElement.append(body);
  const listeners = (type) => page.listeners.get(type) ?? [];
  page.window = {
    document: page.document,
    getComputedStyle: computedStyle,
    location: { href: "http://localhost:8501/?example=irony&text=old" },
    innerWidth: 1280,
    innerHeight: 900,
    navigator: { clipboard: { writeText: async (text) => page.clipboard.push(text) } },
    addEventListener: (type, react) => page.listeners.set(type, [...listeners(type), react]),
    removeEventListener: (type, react) => page.listeners.set(type, listeners(type).filter((other) => other !== react)),
    dispatchEvent: (event) => listeners(event.type).forEach((react) => react(event)),
    getSelection: () => null,
    setTimeout: (run) => page.timers.push(run),
    clearTimeout: () => {},
    atob,
    Node: { TEXT_NODE: 3, ELEMENT_NODE: 1 },
    XMLSerializer: FakeSerializer,
    CustomEvent: class {
      constructor(type, { detail }) {
        Object.assign(this, { type, detail });
      }
    },
    ImageData: class {
      constructor(width, height) {
        Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
      }
    },
    Image: class {
      async decode() {
        this.decoded = true;
      }
    },
    Blob: class {
      constructor(parts, { type }) {
        Object.assign(this, { text: parts.join(""), type });
      }
    },
    URL: class extends URL {
      static createObjectURL(blob) {
        page.blobs.push(blob);
        return `blob:${page.blobs.length}`;
      }
      static revokeObjectURL(address) {
        page.revoked = address;
      }
    },
    MutationObserver: class extends FakeObserver {},
    ResizeObserver: class extends FakeObserver {},
  };
  page.window.window = page.window;
  return page;
}

class FakeObserver {
  constructor(react) {
    this.react = react;
  }
  observe(node) {
    node.observer = this;
  }
}
