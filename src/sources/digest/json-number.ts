/** Positions in a JSON number (RFC 8259). None is a position of `JsonLines`. */
const AT_MINUS = 20;
const AT_ZERO = 21;
const AT_INTEGER = 22;
const AT_POINT = 23;
const AT_FRACTION = 24;
const AT_EXPONENT = 25;
const AT_EXPONENT_SIGN = 26;
const AT_EXPONENT_DIGITS = 27;

/** The byte is the first one after a complete number. */
export const NUMBER_ENDS = -1;
/** No number continues with the byte. */
export const NOT_A_NUMBER = -2;

/** Returns the position after the first byte of a number, or `NOT_A_NUMBER`. */
export function startNumber(byte: number): number {
  return byte === 0x2d ? AT_MINUS : startInteger(byte);
}

/** Returns the position after the next byte, `NUMBER_ENDS` or `NOT_A_NUMBER`. */
export function continueNumber(at: number, byte: number): number {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isExponent = byte === 0x65 || byte === 0x45;
  switch (at) {
    case AT_MINUS:
      return startInteger(byte);
    case AT_ZERO:
    case AT_INTEGER:
      if (isDigit && at === AT_INTEGER) return at;
      if (byte === 0x2e) return AT_POINT;
      return isExponent ? AT_EXPONENT : NUMBER_ENDS;
    case AT_POINT:
      return isDigit ? AT_FRACTION : NOT_A_NUMBER;
    case AT_FRACTION:
      if (isDigit) return at;
      return isExponent ? AT_EXPONENT : NUMBER_ENDS;
    case AT_EXPONENT:
      if (byte === 0x2b || byte === 0x2d) return AT_EXPONENT_SIGN;
      return isDigit ? AT_EXPONENT_DIGITS : NOT_A_NUMBER;
    case AT_EXPONENT_SIGN:
      return isDigit ? AT_EXPONENT_DIGITS : NOT_A_NUMBER;
    default:
      return isDigit ? AT_EXPONENT_DIGITS : NUMBER_ENDS;
  }
}

export function isWholeNumber(at: number): boolean {
  return at === AT_ZERO || at === AT_INTEGER || at === AT_FRACTION || at === AT_EXPONENT_DIGITS;
}

function startInteger(byte: number): number {
  if (byte === 0x30) return AT_ZERO;
  return byte > 0x30 && byte <= 0x39 ? AT_INTEGER : NOT_A_NUMBER;
}
