// The most likely of some tokens.

/**
 * Return the `n` tokens of `among` with the highest logits and their probabilities, a softmax over all of them: the
 * highest first, of equal ones that with the lower id.
 */
export function likeliest(logits, among, n) {
  const left = among.filter((token) => logits[token] > -Infinity);
  const top = left.reduce((most, token) => Math.max(most, logits[token]), -Infinity);
  const weights = left.map((token) => Math.exp(logits[token] - top));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = Array.from(left.keys());
  order.sort((first, second) => logits[left[second]] - logits[left[first]] || left[first] - left[second]);
  return order.slice(0, n).map((at) => ({ token: left[at], probability: weights[at] / total }));
}
