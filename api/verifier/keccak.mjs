/** Keccak-256 as used by the EVM: padded as Keccak, not as SHA-3. Source: The Keccak reference, version 3.0. */

const RATE = 136;
const ROUNDS = 24;

/** The round constants as low and high halves, from the shift register that defines them. */
const CONSTANTS = (() => {
  const halves = new Int32Array(2 * ROUNDS);
  let register = 1;
  for (let round = 0; round < ROUNDS; round++) {
    for (let power = 0; power < 7; power++) {
      const bit = (1 << power) - 1;
      if (register & 1) halves[2 * round + (bit >> 5)] ^= 1 << (bit & 31);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
  }
  return halves;
})();

/** For each step of the walk that rho and pi share: the target lane and its rotation. */
const WALK = (() => {
  const steps = [];
  let [x, y] = [1, 0];
  for (let step = 0; step < 24; step++) {
    [x, y] = [y, (2 * x + 3 * y) % 5];
    steps.push([x + 5 * y, (((step + 1) * (step + 2)) / 2) % 64]);
  }
  return steps;
})();
const LANES = Uint8Array.from(WALK, ([lane]) => 2 * lane);
const TURNS = Uint8Array.from(WALK, ([, turn]) => turn);

/** @param {Uint8Array} bytes @returns {Uint8Array} 32 bytes */
export function keccak256(bytes) {
  const state = new Int32Array(50); // 25 lanes, each as low and high half
  const padded = new Uint8Array(RATE * (Math.floor(bytes.length / RATE) + 1));
  padded.set(bytes);
  padded[bytes.length] = 0x01;
  padded[padded.length - 1] |= 0x80;
  for (let at = 0; at < padded.length; ) {
    for (let half = 0; half < RATE / 4; half++, at += 4) {
      state[half] ^= padded[at] | (padded[at + 1] << 8) | (padded[at + 2] << 16) | (padded[at + 3] << 24);
    }
    permute(state);
  }
  const digest = new DataView(new ArrayBuffer(32));
  for (let half = 0; half < 8; half++) digest.setInt32(4 * half, state[half], true);
  return new Uint8Array(digest.buffer);
}

const columns = new Int32Array(10);
const row = new Int32Array(10);

function permute(s) {
  for (let round = 0; round < ROUNDS; round++) {
    for (let x = 0; x < 10; x++) columns[x] = s[x] ^ s[x + 10] ^ s[x + 20] ^ s[x + 30] ^ s[x + 40];
    for (let x = 0; x < 10; x += 2) {
      const left = (x + 8) % 10;
      const right = (x + 2) % 10;
      const low = columns[left] ^ ((columns[right] << 1) | (columns[right + 1] >>> 31));
      const high = columns[left + 1] ^ ((columns[right + 1] << 1) | (columns[right] >>> 31));
      for (let y = x; y < 50; y += 10) {
        s[y] ^= low;
        s[y + 1] ^= high;
      }
    }
    let [low, high] = [s[2], s[3]];
    for (let step = 0; step < 24; step++) {
      const lane = LANES[step];
      const turn = TURNS[step] & 31;
      if (TURNS[step] & 32) [low, high] = [high, low];
      const [turnedLow, turnedHigh] = turn
        ? [(low << turn) | (high >>> (32 - turn)), (high << turn) | (low >>> (32 - turn))]
        : [low, high];
      low = s[lane];
      high = s[lane + 1];
      s[lane] = turnedLow;
      s[lane + 1] = turnedHigh;
    }
    for (let y = 0; y < 50; y += 10) {
      for (let x = 0; x < 10; x++) row[x] = s[y + x];
      for (let x = 0; x < 10; x++) s[y + x] ^= ~row[(x + 2) % 10] & row[(x + 4) % 10];
    }
    s[0] ^= CONSTANTS[2 * round];
    s[1] ^= CONSTANTS[2 * round + 1];
  }
}
