/** Twin of `Hash` in test/exhaustive/normal.cc: two 32-bit mixes of the bits of float32 values, as 16 digits. */
export class Hash {
  private a = 0x811c9dc5;
  private b = 0x9e3779b9;

  add(bits: number): void {
    this.a = Math.imul(this.a ^ bits, 0x01000193);
    this.b = Math.imul(((this.b << 5) | (this.b >>> 27)) ^ bits, 0x85ebca6b);
  }

  text(): string {
    return [this.a, this.b].map((x) => (x >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
