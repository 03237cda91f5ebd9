export type {
  BucketContainer,
  ByteRange,
  Container,
  FileManifest,
  FileSource,
  FolderContainer,
  HttpSource,
  ManifestPlace,
  S3Manifest,
  S3Source,
  Source,
} from './requests/sources.ts';
