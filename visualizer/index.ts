/** The public entry `heartwood/visualizer`. */

export {
  FeedError,
  type FeedListener,
  type FeedSource,
  type Hello,
  LEFT_OUT,
  type Moment,
  type Progress,
  type RecordDetail,
  type RecordRow,
} from "./feed.ts";
