// Repeatable random numbers from a seed. The plans of the chaos test use no other source of chance.

/** mulberry32: 32 bits of state are enough for the hundred choices of a plan. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** At least 0 and less than 1. */
  number() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least, most) {
    return least + Math.floor(this.number() * (most - least + 1));
  }

  chance(probability) {
    return this.number() < probability;
  }

  pick(list) {
    return list[Math.floor(this.number() * list.length)];
  }

  /** At most `count` different items of the list, in random order. */
  some(list, count) {
    const left = [...list];
    return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(this.number() * left.length), 1)[0]);
  }
}

/** The seed of one round. Rounds of the same seed or of neighbouring seeds get unrelated plans. */
export function seedOfRound(seed, round) {
  return (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(round + 1, 0xc2b2ae35)) >>> 0;
}
