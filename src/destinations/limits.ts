import {
  azureLimits,
  Limits,
  openAiLimits,
  purposeLimits,
  type DestinationLimits,
  type PurposeLimits,
} from '../contracts/limits.ts';
import type { DestinationKind, DestinationProfile } from './profile.ts';

/** Limits of each kind of service, before those of a purpose. */
const kindLimits: Readonly<Record<DestinationKind, DestinationLimits>> = { openai: openAiLimits, azure: azureLimits };

/**
 * The limits of a destination for a purpose. A setting for the purpose has priority over the limits of the purpose, which
 * have priority over a setting for all purposes. A smaller maximum size for all purposes also applies to each of them.
 */
export function limitsOf(
  { kind = 'openai', limits = {} }: Pick<DestinationProfile, 'kind' | 'limits'>,
  purpose: string,
): DestinationLimits {
  const { purposes = {}, ...settings } = limits;
  const own = Object.hasOwn(purposes, purpose) ? (purposes[purpose] as PurposeLimits) : {};
  const usual = Object.hasOwn(purposeLimits, purpose) ? (purposeLimits[purpose] as PurposeLimits) : {};
  const base = kindLimits[kind];
  const minPartSizeBytes = settings.minPartSizeBytes ?? base.minPartSizeBytes;
  const maxPartSizeBytes = Math.max(settings.maxPartSizeBytes ?? base.maxPartSizeBytes, minPartSizeBytes);
  const sizeBytes = settings.maxFileBytes ?? base.maxFileBytes;
  const maxFileBytes = Math.min(
    own.maxFileBytes ?? Math.min(usual.maxFileBytes ?? Infinity, sizeBytes),
    Limits.maxParts * maxPartSizeBytes,
  );
  const maxLines = own.maxLines ?? usual.maxLines ?? settings.maxLines ?? base.maxLines;
  const extensions = own.extensions ?? usual.extensions ?? settings.extensions ?? base.extensions;
  return {
    maxFileBytes,
    minPartSizeBytes,
    maxPartSizeBytes,
    maxParts: Math.min(Math.ceil(Math.max(maxFileBytes, base.maxFileBytes) / minPartSizeBytes), Limits.maxParts),
    sessionSeconds: settings.sessionSeconds ?? base.sessionSeconds,
    ...(maxLines ? { maxLines } : {}),
    ...(extensions && extensions.length > 0 ? { extensions } : {}),
  };
}
