export type {
  BucketContainer,
  ByteRange,
  Container,
  FileSource,
  FolderContainer,
  HttpSource,
  S3Source,
  Source,
} from './requests/sources.ts';
