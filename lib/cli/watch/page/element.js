/** The page's elements: making them, finding them, and keeping a list of them in step with data. */

/**
 * An element with a class and children. Text is always set as text, never as markup.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, className = '', ...children) {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element "${id}"`);
  return found;
}

/**
 * Sets the text, and nothing if it is the same: a selection by the user stays.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * One child for each item, in order; children of items that are still there stay the same elements.
 *
 * @template Item
 * @template {HTMLElement} Child
 * @param {HTMLElement} parent
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Child} create
 * @param {(child: Child, item: Item) => void} [update]
 */
export function keepChildren(parent, items, keyOf, create, update = () => {}) {
  /** @type {Map<string | undefined, Child>} */
  const before = new Map(
    [...parent.children].map((child) => {
      const known = /** @type {Child} */ (child);
      return [known.dataset['key'], known];
    }),
  );
  /** @type {Element | null} */
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const known = before.get(key);
    before.delete(key);
    const child = known ?? create(item);
    child.dataset['key'] = key;
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of before.values()) child.remove();
}
