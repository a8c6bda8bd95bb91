import type { components } from './schema';

type Schemas = components['schemas'];

export type ICollectReport = Schemas['CollectReport'];
export type IComparison = Schemas['Comparison'];
export type IDelivery = Schemas['Delivery'];
export type IDistribution = Schemas['Distribution'];
export type IEntry = Schemas['Entry'];
export type IFileDiff = Schemas['FileDiff'];
export type IForgetReport = Schemas['ForgetReport'];
export type IInstance = Schemas['Instance'];
export type IKeep = Schemas['Keep'];
export type ILocated = Schemas['Located'];
export type IObjectOutcome = Schemas['ObjectOutcome'];
export type IPathDifference = Schemas['PathDifference'];
export type IPreview = Schemas['Preview'];
export type IProblem = Schemas['Problem'];
export type IRetention = Schemas['Retention'];
export type ISnapshot = Schemas['Snapshot'];
export type ISnapshotDetail = Schemas['SnapshotDetail'];
export type ISpace = Schemas['Space'];
export type IStage = Schemas['Stage'];
export type IStagedObject = Schemas['StagedObject'];
export type ITargetPreview = Schemas['TargetPreview'];
export type ITask = Schemas['Task'];

export type Difference = Schemas['Difference'];
export type Outcome = Schemas['Outcome'];
export type Reason = Schemas['Reason'];
export type Strategy = Schemas['Strategy'];
export type TaskState = Schemas['TaskState'];
export type IUsage = Schemas['Usage'];
